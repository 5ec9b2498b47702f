import { ConfigError } from "../errors.js";

/** A regular expression that a config gives. `ConfigError` naming the option when it is none. */
export function textPattern(source: string, option: string, flags = "u"): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    throw new ConfigError(`option "${option}": "${source}" is no regular expression`, { path: option, cause });
  }
}
