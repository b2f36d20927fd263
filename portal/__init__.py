"""The web portal and its command line: parse the request, call one use case, render."""
