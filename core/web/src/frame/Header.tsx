import { usePlugins } from "../data/context";
import { Palette } from "../plugins/Palette";
import type { Router } from "./router";

/** The top of every page: where one is, and where one can go. */
export function Header({ path, router }: { path: string; router: Router }) {
  return (
    <header className="header">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <div className="header-row">
        <a className="brand" href="/">
          Mosaic Life
        </a>
        <nav aria-label="Main">
          <ul className="nav">
            <li>
              <NavLink to="/" path={path}>
                Legacies
              </NavLink>
            </li>
            <PluginLinks path={path} />
          </ul>
        </nav>
        <Palette router={router} />
      </div>
    </header>
  );
}

function PluginLinks({ path }: { path: string }) {
  return usePlugins().flatMap(({ id, title, routes: [first] }) =>
    first === undefined
      ? []
      : [
          <li key={id}>
            <NavLink to={`/plugins${first.path}`} path={path} testId={`plugin-nav-${id}`}>
              {title}
            </NavLink>
          </li>,
        ],
  );
}

interface NavLinkProps {
  to: string;
  path: string;
  children: string;
  testId?: string;
}

function NavLink({ to, path, children, testId }: NavLinkProps) {
  const here = to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
  return (
    <a href={to} aria-current={here ? "page" : undefined} data-testid={testId}>
      {children}
    </a>
  );
}
