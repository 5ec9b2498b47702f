export interface Tags {
  codeOpen: string;
  codeClose: string;
}

export interface Segment {
  kind: "text" | "code" | "sandbox";
  /** Code units; `end` is exclusive. */
  start: number;
  end: number;
  /** Written by the policy. */
  trained: boolean;
}

export const SANDBOX = { open: "<sandbox_output>", close: "</sandbox_output>" };

/** End of the first occurrence of `tag` at or after `from`; the end of the text without one. */
function endOf(text: string, tag: string, from: number): number {
  const at = text.indexOf(tag, from);
  return at < 0 ? text.length : at + tag.length;
}

/**
 * A response as text (up to and with `codeOpen`, or up to the sandbox's opening tag), code (up to and with `codeClose`) and sandbox
 * output (both tags included), in order; what is not closed runs to the end. Thyme (2508.11630).
 */
export function segmentsOf(text: string, { codeOpen, codeClose }: Tags): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  let inCode = false;
  const add = (kind: Segment["kind"], end: number) => {
    if (end > at) segments.push({ kind, start: at, end, trained: kind !== "sandbox" });
    at = end;
  };
  while (at < text.length) {
    if (inCode) {
      add("code", endOf(text, codeClose, at));
      inCode = false;
    } else if (text.startsWith(SANDBOX.open, at)) {
      add("sandbox", endOf(text, SANDBOX.close, at));
    } else {
      const output = text.indexOf(SANDBOX.open, at);
      const code = text.indexOf(codeOpen, at);
      inCode = code >= 0 && (output < 0 || code < output);
      add("text", inCode ? code + codeOpen.length : output < 0 ? text.length : output);
    }
  }
  return segments;
}

export interface Temperatures {
  textTemperature: number;
  codeTemperature: number;
}

/** What a segment is sampled at; 0 = the likeliest token. */
export const temperatureOf = (kind: "text" | "code", o: Temperatures): number => (kind === "code" ? o.codeTemperature : o.textTemperature);
