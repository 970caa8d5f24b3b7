"""The steps that carry an experiment out: data, baselines, networks, search, results."""
