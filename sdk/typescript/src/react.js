"use strict";
var __assign =
  (this && this.__assign) ||
  function () {
    __assign =
      Object.assign ||
      function (t) {
        for (var s, i = 1, n = arguments.length; i < n; i++) {
          s = arguments[i];
          for (var p in s) if (Object.prototype.hasOwnProperty.call(s, p)) t[p] = s[p];
        }
        return t;
      };
    return __assign.apply(this, arguments);
  };
Object.defineProperty(exports, "__esModule", { value: true });
exports.SdkProvider = SdkProvider;
exports.useSdk = useSdk;
/** The SDK in React pages: `SdkProvider` by the host, `useSdk` in the plugin. */
var react_1 = require("react");
var KEY = Symbol.for("@mosaiclife/plugin-sdk/react");
/** Host and remote bundle this module apart but share React, so they meet on the page's one context. */
function pageContext() {
  var _a;
  var page = globalThis;
  return (_a = page[KEY]) !== null && _a !== void 0
    ? _a
    : (page[KEY] = (0, react_1.createContext)(null));
}
/** Give the pages below the SDK of their plugin. */
function SdkProvider(_a) {
  var sdk = _a.sdk,
    context = _a.context,
    children = _a.children;
  var value = (0, react_1.useMemo)(
    function () {
      return __assign(__assign({}, context), { sdk: sdk });
    },
    [context, sdk],
  );
  return (0, react_1.createElement)(pageContext().Provider, { value: value }, children);
}
/** Return the SDK and the page's context. */
function useSdk() {
  var value = (0, react_1.useContext)(pageContext());
  if (value === null) throw new Error("useSdk needs an SdkProvider above it");
  return value;
}
