"""The reporters' pages: no cookie before signing in, no script, no identity asked."""
