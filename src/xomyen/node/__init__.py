"""A commune's machine: recorder process, media gateway, configuration service, supervisor."""
