/** The tabs of the organisation: the one whose page this is stands in sight, on a phone too. */

const tab = document.querySelector<HTMLElement>(".org-tabs [aria-current]");
const tabs = tab?.parentElement;
if (tab && tabs) {
  const [own, all] = [tab.getBoundingClientRect(), tabs.getBoundingClientRect()];
  tabs.scrollLeft += own.left + own.width / 2 - (all.left + all.width / 2);
}
