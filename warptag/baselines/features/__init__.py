"""The paper's nine visual features, and the embedding that makes any feature a short vector."""
