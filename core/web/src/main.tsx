import { createFederation } from "@mosaiclife/plugin-sdk/host";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { followPlugins, followPresence } from "./data/follow";
import { createServices } from "./data/services";
import { createRouter } from "./frame/router";
import { shared } from "./shared";
import "./styles.css";

const router = createRouter();
const services = createServices({
  remotes: createFederation({ shared }),
  open: (path) => router.navigate(path),
});
followPlugins(services);
followPresence(services);

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(<App services={services} router={router} />);
