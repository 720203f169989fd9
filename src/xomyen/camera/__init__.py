"""Talks to one camera: RTSP session, RTP depacketising, parameter sets, other sources, the simulated camera."""
