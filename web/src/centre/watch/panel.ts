/** What the panels of the centre's pages with pictures share in their looks. */

import { css } from "lit";

export const panel = css`
  form,
  .fields {
    display: flex;
    flex-direction: column;
    gap: 12px;
  }
  label {
    display: flex;
    flex-direction: column;
    gap: 4px;
    font-size: 13px;
    color: var(--muted);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
  }
  dialog {
    background: var(--raised);
    color: var(--text);
    border: 1px solid var(--line);
    border-radius: 12px;
    padding: 24px;
    width: min(440px, calc(100vw - 32px));
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 60%);
  }
  dialog h2 {
    margin-bottom: 16px;
  }
  .problem {
    color: #ffd591;
    font-size: 14px;
  }
`;
