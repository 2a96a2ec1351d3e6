import { useTitle } from "../frame/useTitle";

/** For an address that leads nowhere. */
export function NowherePage() {
  useTitle("Nothing here");
  return (
    <div className="page">
      <h1>There is nothing here</h1>
      <p className="lead">
        The page may have moved. <a href="/">Return to the legacies</a>
      </p>
    </div>
  );
}
