import type { Mistake } from "./explain.js";
import { didYouMean, nearest } from "./nearest.js";
import type { Path } from "./path.js";

const MOST = 12;

/** Names to choose from; of a long list the ones that are near, and how many there are. */
function listed(names: readonly string[], given: string): string[] | string {
  if (names.length === 0) return "none is installed";
  if (names.length <= MOST) return [...names];
  const near = nearest(given, names);
  const count = near === undefined ? `one of ${names.length}` : `${near} and ${names.length - 1} others`;
  return `${count}: proximal plugins lists them`;
}

/** The command that would install what has this id, if the id could be a plugin's. */
const installHint = (id: string, prefix = "@proximal/plugin-"): string | undefined => {
  const slug = id.split("@")[0]!;
  return /^[a-z0-9-]+$/.test(slug) ? `npm i ${prefix}${slug}` : undefined;
};

/** A name of something that would have to be installed, and is not. */
export function notInstalled(
  path: Path,
  what: string,
  id: string,
  { names, searched, prefix }: { names: readonly string[]; searched: readonly string[]; prefix?: string },
): Mistake {
  const [meant, install] = [didYouMean(id, names), installHint(id, prefix)];
  return {
    path,
    message: `no installed package provides the ${what} "${id}"`,
    given: id,
    accepted: listed(names, id),
    ...(searched.length > 0 ? { searched } : {}),
    hint: meant !== undefined && install !== undefined ? `${meant} Or install it: ${install}` : (meant ?? install),
  };
}
