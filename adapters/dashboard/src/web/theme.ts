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
    const query = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => {
      document.documentElement.dataset.theme = theme === "auto" ? (query.matches ? "dark" : "light") : theme;
      setColours((n) => n + 1);
    };
    apply();
    localStorage.setItem(KEY, theme);
    query.addEventListener("change", apply);
    return () => query.removeEventListener("change", apply);
  }, [theme]);
  return { theme, next: () => setTheme(CHOICES[(CHOICES.indexOf(theme) + 1) % CHOICES.length]!), colours };
}

export const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
