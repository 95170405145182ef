package ingress

import "net/http"

// notFoundPage is what Azure Container Apps answers for a host it does not
// serve: unknown, stopped, without an active revision, or internal and called
// from outside. The markup is our own; title, ids and sentences are those of
// the original, so that checks written against Azure pass.
const notFoundPage = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Azure Container App - Unavailable</title>
<style>
body { margin: 0; background: #00abec; color: #fff; font-family: "Segoe UI", sans-serif; }
#feature { padding: 6rem 2rem; }
#content { max-width: 44rem; margin: 0 auto; }
a { color: #fff; }
</style>
</head>
<body>
<div id="feature">
<div id="content">
<h1 id="unavailable">Error 404 - This Container App is stopped or does not exist.</h1>
<p id="tryAgain">The Container App you have attempted to reach is currently stopped or does not exist.</p>
<p id="toAdmin">If you are the Container App administrator, please visit <a href="https://portal.azure.com/">Azure Portal</a>.</p>
</div>
</div>
</body>
</html>
`

var answerNotFound = answer{status: http.StatusNotFound, body: notFoundPage, contentType: "text/html", flag: "NR", details: detailsNoRoute}
