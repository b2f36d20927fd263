"""The keys room: who may hold keys, how they sign in, and what vouches for them."""
