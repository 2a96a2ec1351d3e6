/** Panel and page over sample data, without a core: for work on how they look and behave. */
import type { PageContext } from "@mosaiclife/plugin-sdk";
import { SdkProvider } from "@mosaiclife/plugin-sdk/react";
import { createRoot } from "react-dom/client";
import { COUNTS_CHANGED } from "../src/data/useReport";
import { panel } from "../src/panel";
import { routes } from "../src/routes";
import { fakeSdk, LEGACY, panelContext } from "../src/samples";
import sheet from "./standalone.css";
import { STATES, tellOne } from "./states";

const sdk = fakeSdk();
const legacies = [LEGACY, { id: "01LARS", name: "Lars Lindqvist", role: "admin" }];
const context: PageContext = { tenantId: "t", locale: navigator.language, legacies };

/** Change what the backend answers, and say so, as the backend would. */
function change(make: (played: typeof sdk) => void): void {
  make(sdk);
  sdk.emit(COUNTS_CHANGED, {});
}

function Controls() {
  return (
    <form>
      <fieldset>
        <legend>What the backend answers</legend>
        {Object.entries(STATES).map(([name, make], index) => (
          <label key={name}>
            <input
              type="radio"
              name="state"
              defaultChecked={index === 0}
              onChange={() => change(make)}
            />
            {name}
          </label>
        ))}
      </fieldset>
      <button type="button" onClick={() => change(tellOne)}>
        Tell one more memory
      </button>
    </form>
  );
}

function place(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

document.adoptedStyleSheets = [sheet];
createRoot(place("controls")).render(<Controls />);
createRoot(place("page")).render(
  <SdkProvider sdk={sdk} context={context}>
    {routes.map(({ path, element: Page }) => (
      <Page key={path} />
    ))}
  </SdkProvider>,
);
panel.mount(place("panel"), panelContext(sdk, { locale: context.locale }));
