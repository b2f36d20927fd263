"""The domain: cases, people, law and log. Knows nothing of HTTP, templates or Litestar."""
