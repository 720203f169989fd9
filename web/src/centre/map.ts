/** The centre's map: sites, which way their cameras look, and how they are. */

import "../tokens.css";
import "./watch/watch.css";
import "./watch/map.css";
import "./watch/map-page";
