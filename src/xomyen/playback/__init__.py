"""Files to people: timeline, HLS, live, stills, clips, export."""
