"""What goes through the pipes to a transcoder's process and back."""

import struct

# Kind (0 header, 1 fragment, 2 fragment that starts with a keyframe), wall time of its first picture in ns,
# length of what follows. A header that comes back begins with a line of JSON: codec_string, width, height.
FRAME = struct.Struct(">BqI")
