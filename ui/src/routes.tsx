/** The plugin's pages (spec §7.3). Exposed as `./Routes`. */
import { useSdk } from "@mosaiclife/plugin-sdk/react";
import { routePath } from "./identity";
import { Shadow } from "./shadow";
import base from "./styles/base.css";
import chart from "./styles/chart.css";
import sheet from "./styles/page.css";
import { PageView } from "./views/PageView";

const SHEETS = [base, chart, sheet];

export function AnalyticsPage() {
  const page = useSdk();
  return (
    <Shadow sheets={SHEETS}>
      <PageView page={page} />
    </Shadow>
  );
}

export const routes = [{ path: routePath, element: AnalyticsPage }];

export default routes;
