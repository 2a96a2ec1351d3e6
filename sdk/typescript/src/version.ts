/** The version of this SDK; a test holds it against package.json. */
export const SDK_VERSION = "1.2.0";
