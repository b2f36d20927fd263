"""Why a witness does not cosign; nothing in a message is secret."""


class WitnessError(Exception):
    """Base of every refusal of `witness`."""


class UnknownLog(WitnessError):
    """The checkpoint is of a log that this witness was not told to trust."""


class NotSigned(WitnessError):
    """No trusted key of the log has signed the checkpoint."""


class KeyRetired(NotSigned):
    """Only a key of the log that was handed over or distrusted before has signed."""


class OldBeyondNew(WitnessError):
    """The request says that the log grew from a tree larger than that of its checkpoint."""


class SizeDiffers(WitnessError):
    """The request begins at another size than that of the newest checkpoint cosigned here."""

    def __init__(self, newest: int) -> None:
        """Take the size at which a request must begin."""
        super().__init__(f"the newest checkpoint cosigned here has size {newest}")
        self.newest = newest


class Forked(WitnessError):
    """The log has signed two trees of one size: the proof that it told two stories."""


class ForkNotKept(Forked):
    """As :class:`Forked`, but so many proofs are kept already that this one is not."""


class ProofWrong(WitnessError):
    """The proof does not show that the tree grew from the one cosigned before."""


class Shrunk(WitnessError):
    """The log shows an older checkpoint than the newest one cosigned here."""


class ClockBehind(WitnessError):
    """The clock shows a time before that of the newest cosignature for this log."""


class Damaged(WitnessError):
    """What the witness keeps on its disk is not what it wrote; the message names the file."""


class AlreadyMade(WitnessError):
    """The folder holds a witness, or other files, already."""


class KeyExposed(WitnessError):
    """Others than the owner may read the secret key."""


class NotALogKey(WitnessError):
    """The key given is none of a log."""


class NotAHandover(WitnessError):
    """What was given is not one or several notes by which a key of a log follows another."""


class UnknownKey(WitnessError):
    """What was given names no key of a trusted log, or several."""


class LastKey(WitnessError):
    """Without this key none of the log would be trusted."""


class TileUnfit(WitnessError):
    """A tile is missing or has another length than this tree takes."""
