"""age v1 files (c2sp.org/age): the one sealing primitive of the portal.

Hybrid recipients for everything at rest, X25519 recipients for what is handed to others.
"""

from crypto.age.contract import Identity, Recipient
from crypto.age.file import Decryptor, Encryptor, decrypt, encrypt
from crypto.age.header import HeaderTampered, Stanza
from crypto.age.hybrid import HybridIdentity, HybridRecipient
from crypto.age.reader import FileReader
from crypto.age.stream import PayloadTampered
from crypto.age.x25519 import X25519Identity, X25519Recipient

__all__ = [
    "Decryptor",
    "Encryptor",
    "FileReader",
    "HeaderTampered",
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "PayloadTampered",
    "Recipient",
    "Stanza",
    "X25519Identity",
    "X25519Recipient",
    "decrypt",
    "encrypt",
]
