"""How long the ranking losses take and how much memory they need, on every backend.

python -m benchmarks.losses [--quick] [--output DIR]
"""
