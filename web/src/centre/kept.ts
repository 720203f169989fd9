/** What this browser keeps from page to page of the centre, for `remember`; none of it is about a person. */

/** When the centre answered somebody who is signed in, ms since 1970. */
export const ANSWERED = "answered";
/** How often this tab asked anew for a page in vain while the centre answered, and when last, ms since 1970. */
export const IN_VAIN = "xomyen.in-vain";
/** The language of the page before. */
export const SPOKEN = "spoken";
