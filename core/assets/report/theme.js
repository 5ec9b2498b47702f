/** The page wears the colours that the reader's system asks for, from its first drawing on. */
{
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const wear = () => {
    document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
  };
  wear();
  dark.addEventListener("change", wear);
}
