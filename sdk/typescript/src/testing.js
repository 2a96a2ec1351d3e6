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
var __awaiter =
  (this && this.__awaiter) ||
  function (thisArg, _arguments, P, generator) {
    function adopt(value) {
      return value instanceof P
        ? value
        : new P(function (resolve) {
            resolve(value);
          });
    }
    return new (P || (P = Promise))(function (resolve, reject) {
      function fulfilled(value) {
        try {
          step(generator.next(value));
        } catch (e) {
          reject(e);
        }
      }
      function rejected(value) {
        try {
          step(generator["throw"](value));
        } catch (e) {
          reject(e);
        }
      }
      function step(result) {
        result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected);
      }
      step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
  };
var __generator =
  (this && this.__generator) ||
  function (thisArg, body) {
    var _ = {
        label: 0,
        sent: function () {
          if (t[0] & 1) throw t[1];
          return t[1];
        },
        trys: [],
        ops: [],
      },
      f,
      y,
      t,
      g = Object.create((typeof Iterator === "function" ? Iterator : Object).prototype);
    return (
      (g.next = verb(0)),
      (g["throw"] = verb(1)),
      (g["return"] = verb(2)),
      typeof Symbol === "function" &&
        (g[Symbol.iterator] = function () {
          return this;
        }),
      g
    );
    function verb(n) {
      return function (v) {
        return step([n, v]);
      };
    }
    function step(op) {
      if (f) throw new TypeError("Generator is already executing.");
      while ((g && ((g = 0), op[0] && (_ = 0)), _))
        try {
          if (
            ((f = 1),
            y &&
              (t =
                op[0] & 2
                  ? y["return"]
                  : op[0]
                    ? y["throw"] || ((t = y["return"]) && t.call(y), 0)
                    : y.next) &&
              !(t = t.call(y, op[1])).done)
          )
            return t;
          if (((y = 0), t)) op = [op[0] & 2, t.value];
          switch (op[0]) {
            case 0:
            case 1:
              t = op;
              break;
            case 4:
              _.label++;
              return { value: op[1], done: false };
            case 5:
              _.label++;
              y = op[1];
              op = [0];
              continue;
            case 7:
              op = _.ops.pop();
              _.trys.pop();
              continue;
            default:
              if (
                !((t = _.trys), (t = t.length > 0 && t[t.length - 1])) &&
                (op[0] === 6 || op[0] === 2)
              ) {
                _ = 0;
                continue;
              }
              if (op[0] === 3 && (!t || (op[1] > t[0] && op[1] < t[3]))) {
                _.label = op[1];
                break;
              }
              if (op[0] === 6 && _.label < t[1]) {
                _.label = t[1];
                t = op;
                break;
              }
              if (t && _.label < t[2]) {
                _.label = t[2];
                _.ops.push(op);
                break;
              }
              if (t[2]) _.ops.pop();
              _.trys.pop();
              continue;
          }
          op = body.call(thisArg, _);
        } catch (e) {
          op = [6, e];
          y = 0;
        } finally {
          f = t = 0;
        }
      if (op[0] & 5) throw op[1];
      return { value: op[0] ? op[1] : void 0, done: true };
    }
  };
Object.defineProperty(exports, "__esModule", { value: true });
exports.reply = reply;
exports.createFakeSdk = createFakeSdk;
/** A core for tests: the real client and cache over answers given in advance. */
var cache_ts_1 = require("./cache.ts");
var http_ts_1 = require("./http.ts");
var REPLY = Symbol("reply");
/** Give a status and headers to an answer. A string body is sent as it is, without JSON. */
function reply(status, body, headers) {
  var _a;
  if (headers === void 0) {
    headers = {};
  }
  return (
    (_a = {}),
    (_a[REPLY] = true),
    (_a.status = status),
    (_a.body = body),
    (_a.headers = headers),
    _a
  );
}
/** Create an SDK that answers from *responses*; a path without an answer is 404. */
function createFakeSdk(options) {
  var _this = this;
  var _a;
  if (options === void 0) {
    options = {};
  }
  var responses = new Map(
    Object.entries((_a = options.responses) !== null && _a !== void 0 ? _a : {}),
  );
  var requests = [];
  var handlers = [];
  var answer = function (input, init) {
    return __awaiter(_this, void 0, void 0, function () {
      var request;
      var _a;
      return __generator(this, function (_b) {
        switch (_b.label) {
          case 0:
            request = describe(input, init);
            requests.push(request);
            return [4 /*yield*/, Promise.resolve()];
          case 1:
            _b.sent();
            (_a = init === null || init === void 0 ? void 0 : init.signal) === null || _a === void 0
              ? void 0
              : _a.throwIfAborted();
            return [2 /*return*/, respondTo(request, responses)];
        }
      });
    });
  };
  var http = (0, http_ts_1.createHttp)({ base: "", fetch: answer });
  var registered = {
    panels: [],
    routes: [],
    commands: [],
    contextMenus: [],
  };
  return {
    http: http,
    cache: (0, cache_ts_1.createQueryCache)(http.conditional),
    events: {
      subscribe: function (topic, handler) {
        var entry = { topic: topic, handler: handler };
        handlers.push(entry);
        return function () {
          var at = handlers.indexOf(entry);
          if (at >= 0) handlers.splice(at, 1);
        };
      },
    },
    names: {
      resolve: function (ids) {
        return __awaiter(_this, void 0, void 0, function () {
          var _a;
          return __generator(this, function (_b) {
            return [
              2 /*return*/,
              Object.fromEntries(
                knownNames(ids, (_a = options.names) !== null && _a !== void 0 ? _a : {}),
              ),
            ];
          });
        });
      },
    },
    ui: {
      registerPanel: function (panel) {
        return void registered.panels.push(panel);
      },
      registerRoute: function (route) {
        return void registered.routes.push(route);
      },
      registerCommand: function (command) {
        return void registered.commands.push(command);
      },
      registerContextMenu: function (menu) {
        return void registered.contextMenus.push(menu);
      },
    },
    requests: requests,
    registered: registered,
    respond: function (path, response) {
      return void responses.set(path, response);
    },
    emit: function (topic, message) {
      for (
        var _i = 0,
          _a = handlers.filter(function (one) {
            return one.topic === topic;
          });
        _i < _a.length;
        _i++
      ) {
        var entry = _a[_i];
        entry.handler(message);
      }
    },
    subscriptions: function () {
      return handlers.length;
    },
  };
}
function knownNames(ids, names) {
  return ids.flatMap(function (id) {
    return names[id] === undefined ? [] : [[id, names[id]]];
  });
}
function describe(input, init) {
  var _a;
  if (init === void 0) {
    init = {};
  }
  return {
    method: (_a = init.method) !== null && _a !== void 0 ? _a : "GET",
    path: String(input),
    headers: Object.fromEntries(new Headers(init.headers)),
    body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
  };
}
function respondTo(request, responses) {
  var _a = request.path.split("?", 1)[0],
    bare = _a === void 0 ? "" : _a;
  var keys = [request.path, bare].flatMap(function (path) {
    return ["".concat(request.method, " ").concat(path), path];
  });
  var key = keys.find(function (candidate) {
    return responses.has(candidate);
  });
  if (key === undefined) return toResponse(notFound(request));
  var found = responses.get(key);
  var made = typeof found === "function" ? found(request) : found;
  return toResponse(isReply(made) ? made : reply(200, made));
}
function isReply(value) {
  return typeof value === "object" && value !== null && REPLY in value;
}
function toResponse(_a) {
  var status = _a.status,
    body = _a.body,
    headers = _a.headers;
  var empty = body === undefined || status === 204 || status === 304;
  var text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(empty ? null : text, { status: status, headers: __assign({}, headers) });
}
function notFound(_a) {
  var method = _a.method,
    path = _a.path;
  var message = "no response was given for ".concat(method, " ").concat(path);
  return reply(404, { error: { code: "NOT_FOUND", message: message, details: [] } });
}
