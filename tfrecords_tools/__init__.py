"""Images and tags to TFRecord shards, and back again to check them."""
