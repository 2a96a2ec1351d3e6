"use strict";
/**
 * What can go wrong between a page and its plugin.
 *
 *     Error
 *     ├── SdkHttpError   an answer other than success, an unreadable one, or none at all
 *     └── RemoteError    a remote that could not be loaded (host only)
 */
var __extends =
  (this && this.__extends) ||
  (function () {
    var extendStatics = function (d, b) {
      extendStatics =
        Object.setPrototypeOf ||
        ({ __proto__: [] } instanceof Array &&
          function (d, b) {
            d.__proto__ = b;
          }) ||
        function (d, b) {
          for (var p in b) if (Object.prototype.hasOwnProperty.call(b, p)) d[p] = b[p];
        };
      return extendStatics(d, b);
    };
    return function (d, b) {
      if (typeof b !== "function" && b !== null)
        throw new TypeError("Class extends value " + String(b) + " is not a constructor or null");
      extendStatics(d, b);
      function __() {
        this.constructor = d;
      }
      d.prototype = b === null ? Object.create(b) : ((__.prototype = b.prototype), new __());
    };
  })();
Object.defineProperty(exports, "__esModule", { value: true });
exports.RemoteError = exports.SdkHttpError = void 0;
var HTTP_BRAND = Symbol.for("@mosaiclife/plugin-sdk/SdkHttpError");
/** A request that did not succeed. */
var SdkHttpError = /** @class */ (function (_super) {
  __extends(SdkHttpError, _super);
  function SdkHttpError(failure, options) {
    var _a;
    var _this = _super.call(this, failure.message, options) || this;
    _this.name = "SdkHttpError";
    Object.defineProperty(_this, HTTP_BRAND, { value: true });
    _this.status = failure.status;
    _this.code = failure.code;
    _this.details = (_a = failure.details) !== null && _a !== void 0 ? _a : [];
    _this.requestId = failure.requestId;
    _this.retryAfter = failure.retryAfter;
    return _this;
  }
  Object.defineProperty(SdkHttpError.prototype, "transient", {
    /** True when the same request may succeed later without a change. */
    get: function () {
      return TRANSIENT.has(this.status);
    },
    enumerable: false,
    configurable: true,
  });
  /** Host and remote bundle this class apart; `instanceof` holds between the two by the brand. */
  SdkHttpError[Symbol.hasInstance] = function (value) {
    return typeof value === "object" && value !== null && HTTP_BRAND in value;
  };
  return SdkHttpError;
})(Error);
exports.SdkHttpError = SdkHttpError;
var TRANSIENT = new Set([0, 429, 502, 503, 504]);
/** A remote, or a part of it, that could not be loaded. */
var RemoteError = /** @class */ (function (_super) {
  __extends(RemoteError, _super);
  function RemoteError(pluginId, kind, message, options) {
    var _this = _super.call(this, message, options) || this;
    _this.name = "RemoteError";
    _this.pluginId = pluginId;
    _this.kind = kind;
    return _this;
  }
  return RemoteError;
})(Error);
exports.RemoteError = RemoteError;
