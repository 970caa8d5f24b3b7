"""Pictures and labels to TFRecord shards, and back again to check them."""
