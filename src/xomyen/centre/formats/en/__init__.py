"""English as read in Viet Nam: no month may be taken for a day."""
