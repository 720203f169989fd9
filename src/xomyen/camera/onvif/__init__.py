"""ONVIF devices: finding them, asking who they are and what they stream, steering them."""
