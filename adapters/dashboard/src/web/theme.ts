import { useEffect, useState } from "preact/hooks";

const CHOICES = ["auto", "light", "dark"] as const;
export type Theme = (typeof CHOICES)[number];
const KEY = "proximal-theme";

const stored = (): Theme => {
  const value = localStorage.getItem(KEY) as Theme;
  return CHOICES.includes(value) ? value : "auto";
};

/** The reader's choice, its successor, and a number that changes with the colours in use. */
export function useTheme(): { theme: Theme; next: () => void; colours: number } {
  const [theme, setTheme] = useState<Theme>(stored);
  const [colours, setColours] = useState(0);
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem(KEY, theme);
    setColours((n) => n + 1);
  }, [theme]);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const change = () => setColours((n) => n + 1);
    query.addEventListener("change", change);
    return () => query.removeEventListener("change", change);
  }, []);
  return { theme, next: () => setTheme(CHOICES[(CHOICES.indexOf(theme) + 1) % CHOICES.length]!), colours };
}

export const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
