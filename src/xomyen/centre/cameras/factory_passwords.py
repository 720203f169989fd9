"""Passwords that makers of cameras ship their devices with, and that everybody tries first."""

# Cameras with one of these may not stay in use (QCVN 135:2024/BTTTT: no default passwords). From the defaults that
# makers publish in their manuals, and from what installers put in their place; written small, since a case that
# differs makes none of them safer.
_PUBLISHED = (
    *("admin", "root", "user", "guest", "administrator", "supervisor", "system", "service", "operator"),
    *("password", "password1", "pass", "pass123", "default", "camera", "ipcam", "dvr", "nvr", "security"),
    *("0000", "00000", "000000", "00000000", "1111", "11111", "111111", "1111111", "11111111", "123123"),
    *("123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "4321", "54321", "654321"),
    *("666666", "888888", "88888888", "8888", "9999", "999999"),
    *("admin1", "admin12", "admin123", "admin1234", "admin12345", "admin123456", "admin@123", "admin@1234"),
    *("abcd1234", "abc123", "abc12345", "a123456", "a1234567", "1234abcd", "1qaz2wsx", "qwerty"),
    # Of single makers: Mobotix, Toshiba, JVC, Ubiquiti, FLIR, W Box, SMC, Milesight, Xiongmai.
    *("meinsm", "ikwd", "jvc", "ubnt", "fliradmin", "wbox", "wbox123", "smcadmin", "ms1234", "tljwpbo6"),
)


def is_factory_password(password: str, user: str = "") -> bool:
    """Whether the password is one that makers ship cameras with, or the user name once more; case does not count."""
    folded = password.casefold()
    return bool(folded) and (folded in _PUBLISHED or folded == user.casefold())
