/** The centre's pages with pictures: the wall and the player of the nodes, for the cameras of several. */

import "../tokens.css";
import "./watch/watch.css";
import "./watch/app";
