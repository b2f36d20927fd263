"""The web layer under every page: forms, headers, sessions, CSRF, error pages, templates."""
