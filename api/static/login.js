/** The page behind a login link: sends the link's token once, and takes it out of the address before. */

const form = document.getElementById("login");
const hasToken = document.getElementById("token").value !== "";

form.hidden = true;
document.getElementById("login-how").hidden = hasToken;
if (hasToken) {
  history.replaceState(null, "", "/login");
  form.submit();
}
