"""Why a ticket is refused; each reason has its own code.

Forbidden
├── TicketMissing, TicketMalformed, TicketForged, IssuerUnknown, TicketForOtherNode,
│   TicketExpired, TicketNotYetValid, TicketRevoked, SignInCodeInvalid,
│   ProofInvalid, NonceWanted                                              who asks is not known (401)
└── ActionNotAllowed, CameraNotAllowed, StreamNotAllowed, SpanNotAllowed,
    WidthNotAllowed, MaskRequired, EvidenceUnmasked                        known, but may not (403)

No message repeats the ticket or a name of a camera.
"""

from typing import ClassVar

from xomyen.terms.errors import Forbidden


class _Unauthenticated(Forbidden):
    http_status = 401
    text: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.text)


class TicketMissing(_Unauthenticated):
    code = "ticket_missing"
    text = "Sign in first: no ticket came with the request."


class TicketMalformed(_Unauthenticated):
    code = "ticket_malformed"
    text = "What came is no ticket; sign in again."


class TicketForged(_Unauthenticated):
    code = "ticket_forged"
    text = "The ticket's signature is not its issuer's; sign in again."


class IssuerUnknown(_Unauthenticated):
    code = "ticket_issuer_unknown"
    text = "The ticket's issuer is not one that this node accepts."


class TicketForOtherNode(_Unauthenticated):
    code = "ticket_for_other_node"
    text = "The ticket is for another node."


class TicketExpired(_Unauthenticated):
    code = "ticket_expired"
    text = "The ticket has expired; sign in again."


class TicketNotYetValid(_Unauthenticated):
    code = "ticket_not_yet_valid"
    text = "The ticket is not valid yet; compare the clocks of its issuer and of this node."


class TicketRevoked(_Unauthenticated):
    code = "ticket_revoked"
    text = "The ticket was revoked; sign in again."


class SignInCodeInvalid(_Unauthenticated):
    code = "sign_in_code_invalid"
    text = "The sign-in code is wrong, used or too old; `xomyen signin` on the node prints a new link."


class ProofInvalid(_Unauthenticated):
    code = "invalid_dpop_proof"  # RFC 9449 §12.2, as is the next
    text = "What came does not prove that the device holds the key of its grant."


class NonceWanted(_Unauthenticated):
    code = "use_dpop_nonce"
    text = "Sign the number in the header DPoP-Nonce along, and ask again."


class ActionNotAllowed(Forbidden):
    code = "action_not_allowed"

    def __init__(self, action: str) -> None:
        super().__init__(f"The ticket does not allow {action}.", action=action)


class CameraNotAllowed(Forbidden):
    code = "camera_not_allowed"

    def __init__(self) -> None:
        super().__init__("The ticket is not for this camera.")


class StreamNotAllowed(Forbidden):
    code = "stream_not_allowed"

    def __init__(self, stream: str) -> None:
        super().__init__(f"The ticket is not for the {stream} stream.", stream=stream)


class SpanNotAllowed(Forbidden):
    code = "span_not_allowed"

    def __init__(self) -> None:
        super().__init__("The time range asked for lies outside what the ticket allows.")


class WidthNotAllowed(Forbidden):
    code = "width_not_allowed"

    def __init__(self, width: int, greatest: int) -> None:
        super().__init__(
            f"The ticket allows pictures of at most {greatest} pixels' width, not {width}.",
            width=width,
            greatest=greatest,
        )


class MaskRequired(Forbidden):
    code = "mask_required"

    def __init__(self) -> None:
        super().__init__("The ticket allows only masked pictures, and these have no mask.")


class EvidenceUnmasked(Forbidden):
    code = "evidence_unmasked"

    def __init__(self) -> None:
        super().__init__(
            "A signed package holds the recording as it was sealed, without masks, and the ticket allows only masked"
            " pictures. Take a clip instead: in it the private zones are black."
        )
