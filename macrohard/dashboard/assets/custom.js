// Solara's page has no place to stand in under its own theme "auto", so it starts light and is told here to follow the browser.
theme.variant = "auto";
appContainer.classList.toggle("theme--light", !inDarkMode());
appContainer.classList.toggle("theme--dark", inDarkMode());
changeThemeCSS(inDarkMode() ? "dark" : "light");
