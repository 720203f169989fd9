import "@fontsource/be-vietnam-pro/400.css";
import "@fontsource/be-vietnam-pro/500.css";
import "@fontsource/be-vietnam-pro/600.css";
import "./ground.css";
import "./app";
import { language } from "./words";

document.documentElement.lang = language();
