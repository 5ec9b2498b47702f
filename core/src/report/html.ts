const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as it may stand in an element or in a quoted attribute. */
export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);

/** JSON as it may stand in a script element: nothing in it can close the element. */
export const embedJson = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");
