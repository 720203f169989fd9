"""What can be allowed. Every page, API call and ticket names one of these."""

from enum import StrEnum


class Action(StrEnum):
    """Verbs on things; a thing belongs to a unit, and a role is held at a unit or post."""

    # Pictures.
    CAMERA_SEE = "camera.see"  # that it is there, its name, purpose, state
    VIEW_LIVE = "camera.live"
    VIEW_PAST = "camera.past"
    SEARCH = "camera.search"
    STILL = "camera.still"
    CLIP = "camera.clip"
    EXPORT = "camera.export"
    PTZ = "camera.ptz"
    BOOKMARK = "camera.bookmark"
    # The register of cameras.
    CAMERA_EDIT = "camera.edit"
    CAMERA_ACCEPT = "camera.accept"
    CAMERA_DISCOVER = "camera.discover"
    NODE_SEE = "node.see"
    NODE_EDIT = "node.edit"
    # Organisation.
    UNIT_SEE = "unit.see"
    UNIT_EDIT = "unit.edit"
    POST_EDIT = "post.edit"
    SCHEME_EDIT = "scheme.edit"
    # People.
    USER_SEE = "user.see"
    USER_EDIT = "user.edit"  # invite, appoint, lock, sign out everywhere
    REGULATION_EDIT = "regulation.edit"
    SCREEN_PAIR = "screen.pair"
    LAYOUT_EDIT = "layout.edit"  # of a post
    # Accounts of what was done.
    AUDIT_READ = "audit.read"
    AUDIT_EXPORT = "audit.export"


PICTURES = frozenset({Action.VIEW_LIVE, Action.VIEW_PAST, Action.SEARCH, Action.STILL, Action.CLIP, Action.EXPORT})
"""What needs an accepted regulation and leaves an access record."""
