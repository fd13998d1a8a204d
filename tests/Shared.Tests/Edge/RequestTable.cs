using System.Text;

namespace Bff.Shared.Tests.Edge;

/// <summary>Hostile and unusual requests with their expected answers and the requests that an endpoint received.</summary>
public static class RequestTable
{
    private const string Kestrel = "-"; // The server refuses the request itself, before the pipeline.

    /// <summary>Rows of name, request, status, problem code (null: none) and the request that reached an endpoint (null: none).</summary>
    public static TheoryData<string, string, int, string?, string?> Rows
    {
        get
        {
            var rows = new TheoryData<string, string, int, string?, string?>();
            void Path(string path, string? reached) =>
                rows.Add(
                    path,
                    $"GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n",
                    reached is null ? 400 : 200,
                    reached is null ? "malformed_request" : null,
                    reached
                );
            void Raw(string name, string request, int status, string? code, string? reached = null) =>
                rows.Add(name, request, status, code, reached);
            void Body(
                string name,
                string body,
                int status,
                string? code,
                string? reached = null,
                string type = "application/json",
                string path = "/orders",
                string more = ""
            ) =>
                Raw(
                    name,
                    $"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: {type}\r\n{more}Content-Length: {Encoding.Latin1.GetByteCount(body)}\r\n\r\n{body}",
                    status,
                    code,
                    reached
                );

            // Unambiguous paths.
            Path("/", "GET /");
            Path("/items/5", "GET /items/5");
            Path("/items/a%20b", "GET /items/a b");
            Path("/items/caf%C3%A9", "GET /items/café");
            Path("/items/%41", "GET /items/A");
            Path("/items/v1.2~x_y-z", "GET /items/v1.2~x_y-z");
            Path("/items/file%2ejpg", "GET /items/file.jpg");
            Path("/items/100%25", "GET /items/100%");
            Path("/items/...", "GET /items/...");
            Path("/items/.hidden", "GET /items/.hidden");
            Path("/items/a+b=c&d$e!f'g(h)i*j,k:l@m", "GET /items/a+b=c&d$e!f'g(h)i*j,k:l@m");
            Path("/items/5?next=/a/../b//c;d%2f", "GET /items/5");
            Path("/any/x/y/", "GET /any/x/y/");

            // Paths that different parsers read differently.
            foreach (
                var path in new[]
                {
                    "/any/a%2fb",
                    "/any/a%2Fb",
                    "/any/a%252fb",
                    "/any/a%25252fb",
                    "/any/a%5cb",
                    "/any/a%5Cb",
                    "/any/a%255cb",
                    "/any/a\\b",
                    "/any\\..\\items/5",
                    "/any/../items/5",
                    "/any/./x",
                    "/any/..",
                    "/any/.",
                    "/any/%2e%2e/items/5",
                    "/any/%2E%2e/items/5",
                    "/any/.%2e/items/5",
                    "/any/%2e/x",
                    "/any/%252e%252e/items/5",
                    "/any/..;/items/5",
                    "/any/x;jsessionid=1",
                    "/any/x%3bv=1",
                    "/any/..%2fitems/5",
                    "/any/%2e%2e%2fitems",
                    "//any/x",
                    "/any//x",
                    "/any/x//",
                    "/any/%2f",
                    "/any/%7f",
                    "/any/%0d%0aX:1",
                    "/any/%09",
                    "/any/%1b",
                    "/any/%c2%85",
                    "/any/%c0%af",
                    "/any/%ff",
                    "/any/%ed%a0%80",
                    "/any/%c3",
                    "/any/%e0%80%af",
                    "/any/%",
                    "/any/%4",
                    "/any/%zz",
                    "/any/%u002f",
                    "/any/x#y",
                    "/any/%2541",
                }
            )
            {
                Path(path, null);
            }

            Raw("NUL in the path", "GET /any/%00 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, Kestrel);
            Raw("raw UTF-8 in the path", "GET /any/caf\u00c3\u00a9 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, Kestrel);
            Raw("tab in the path", "GET /any/a\tb HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "malformed_request");
            Raw("control character in the query", "GET /items/5?a=\u0001 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "malformed_request");

            // Targets and hosts.
            Raw("absolute-form", "GET http://gateway/items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 200, null, "GET /items/5");
            Raw("absolute-form without path", "GET http://gateway HTTP/1.1\r\nHost: gateway\r\n\r\n", 200, null, "GET /");
            Raw("absolute-form, encoded slash", "GET http://gateway/any/a%2fb HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "malformed_request");
            Raw(
                "absolute-form, dot segments",
                "GET http://gateway/any/../items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n",
                400,
                "malformed_request"
            );
            Raw(
                "absolute-form, double-encoded",
                "GET http://gateway/any/%252e%252e/x HTTP/1.1\r\nHost: gateway\r\n\r\n",
                400,
                "malformed_request"
            );
            Raw("absolute-form, foreign host", "GET http://elsewhere/items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, Kestrel);
            Raw("absolute-form, foreign scheme", "GET ftp://gateway/items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, Kestrel);
            Raw("absolute-form, user info", "GET http://admin@gateway/items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, Kestrel);
            Raw("authority-form", "CONNECT gateway:80 HTTP/1.1\r\nHost: gateway:80\r\n\r\n", 400, "malformed_request");
            Raw("asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: gateway\r\n\r\n", 204, null);
            Raw("HTTP/1.0 without Host", "GET /items/5 HTTP/1.0\r\n\r\n", 200, null, "GET /items/5");
            Raw("HTTP/1.0, a problem", "GET /nowhere HTTP/1.0\r\nHost: gateway\r\n\r\n", 404, "not_found");
            Raw("no Host", "GET /items/5 HTTP/1.1\r\n\r\n", 400, Kestrel);
            Raw("two Hosts", "GET /items/5 HTTP/1.1\r\nHost: gateway\r\nHost: elsewhere\r\n\r\n", 400, Kestrel);
            Raw("two equal Hosts", "GET /items/5 HTTP/1.1\r\nHost: gateway\r\nHost: gateway\r\n\r\n", 400, Kestrel);
            Raw("Host with a path", "GET /items/5 HTTP/1.1\r\nHost: gateway/x\r\n\r\n", 400, Kestrel);

            // Header syntax and sizes.
            Raw("space before the colon", "GET /items/5 HTTP/1.1\r\nHost : gateway\r\n\r\n", 400, Kestrel);
            Raw("folded header", "GET /items/5 HTTP/1.1\r\nHost: gateway\r\nX-A: b\r\n c\r\n\r\n", 400, Kestrel);
            Raw("bare CR in a header", "GET /items/5 HTTP/1.1\r\nHost: gateway\r\nX-A: b\rc\r\n\r\n", 400, Kestrel);
            Raw("NUL in a header", "GET /items/5 HTTP/1.1\r\nHost: gateway\r\nX-A: b\0c\r\n\r\n", 400, Kestrel);
            Raw("33 KiB of headers", $"GET /items/5 HTTP/1.1\r\nHost: gateway\r\nX-A: {new string('a', 33 * 1024)}\r\n\r\n", 431, Kestrel);
            Raw("9 KiB of target", $"GET /items/{new string('a', 9 * 1024)} HTTP/1.1\r\nHost: gateway\r\n\r\n", 414, Kestrel);
            Raw(
                "101 headers",
                $"GET /items/5 HTTP/1.1\r\nHost: gateway\r\n{string.Concat(Enumerable.Range(0, 101).Select(i => $"X-{i}: 1\r\n"))}\r\n",
                431,
                Kestrel
            );

            // Message framing.
            Raw(
                "length and chunks",
                "POST /upload HTTP/1.1\r\nHost: gateway\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                400,
                "malformed_request"
            );
            Raw(
                "chunks and length",
                "POST /upload HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                400,
                "malformed_request"
            );
            Raw(
                "two lengths",
                "POST /upload HTTP/1.1\r\nHost: gateway\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                400,
                Kestrel
            );
            Raw(
                "two equal lengths",
                "POST /upload HTTP/1.1\r\nHost: gateway\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
                400,
                Kestrel
            );
            Raw("unknown transfer coding", "POST /upload HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: gzip\r\n\r\n", 400, Kestrel);
            Raw(
                "obfuscated transfer coding",
                "POST /upload HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: xchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                400,
                Kestrel
            );
            Raw(
                "good chunks",
                "POST /upload HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                200,
                null,
                "upload 3"
            );
            Raw(
                "bad chunk size",
                "POST /upload HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
                400,
                "malformed_request"
            );
            Raw("no length on POST", "POST /upload HTTP/1.1\r\nHost: gateway\r\n\r\n", 200, null, "upload 0");

            // Methods.
            Raw("HEAD where GET is served", "HEAD /items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 200, null, "HEAD /items/5");
            Raw("HEAD where only POST is served", "HEAD /orders HTTP/1.1\r\nHost: gateway\r\n\r\n", 405, null);
            Raw("DELETE where GET and POST are served", "DELETE /items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 405, "method_not_allowed");
            Raw("OPTIONS without preflight", "OPTIONS /items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 405, "method_not_allowed");
            Raw("invented method", "FROBNICATE /items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 405, "method_not_allowed");
            Raw("GET in lower case", "get /items/5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 405, "method_not_allowed");
            Raw("POST in mixed case", "Post /orders HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n", 405, "method_not_allowed");
            Raw("OPTIONS of the server in lower case", "options * HTTP/1.1\r\nHost: gateway\r\n\r\n", 405, Kestrel);
            Raw(
                "method override",
                "POST /items/5 HTTP/1.1\r\nHost: gateway\r\nX-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\n",
                200,
                null,
                "POST /items/5"
            );
            Raw("nothing there", "GET /nowhere HTTP/1.1\r\nHost: gateway\r\nAccept: text/html\r\n\r\n", 404, "not_found");
            Raw(
                "rewriting header",
                "GET /nowhere HTTP/1.1\r\nHost: gateway\r\nX-Original-URL: /items/5\r\nX-Rewrite-URL: /items/5\r\n\r\n",
                404,
                "not_found"
            );

            // JSON bodies.
            const string Good = """{"reference":"r","items":[{"product_id":"p","quantity":2}]}""";
            Body("good order", Good, 200, null, "order r 1");
            Body("good order, charset", Good, 200, null, "order r 1", "application/json; charset=utf-8");
            Body("good order, +json", Good, 200, null, "order r 1", "application/vnd.order+json");
            Body("unknown member", """{"reference":"r","items":[],"more":{}}""", 200, null, "order r 0");
            Body("form", "a=b", 415, "unsupported_media_type", type: "application/x-www-form-urlencoded");
            Body("text", Good, 415, "unsupported_media_type", type: "text/plain");
            Body("UTF-16", Good, 415, "unsupported_media_type", type: "application/json; charset=utf-16");
            Body("compressed body", Good, 415, "unsupported_media_type", more: "Content-Encoding: gzip\r\n");
            Raw(
                "no media type",
                $"POST /orders HTTP/1.1\r\nHost: gateway\r\nContent-Length: {Good.Length}\r\n\r\n{Good}",
                415,
                "unsupported_media_type"
            );
            Body("empty", "", 400, "malformed_request");
            Body("null", "null", 400, "malformed_request");
            Body("cut off", """{"reference":"r","items":[""", 400, "malformed_request");
            Body("trailing comma", """{"reference":"r","items":[],}""", 400, "malformed_request");
            Body("comment", """{"reference":"r",/* */"items":[]}""", 400, "malformed_request");
            Body("two documents", Good + Good, 400, "malformed_request");
            Body("duplicate member", """{"reference":"r","reference":"s","items":[]}""", 400, "malformed_request");
            Body("duplicate member, escaped", """{"reference":"r","\u0072eference":"s","items":[]}""", 400, "malformed_request");
            Body("duplicate member, deep and unknown", """{"reference":"r","items":[],"x":{"a":1,"a":2}}""", 400, "malformed_request");
            Body("invalid UTF-8", "{\"reference\":\"\u00ff\",\"items\":[]}", 400, "malformed_request");
            Body("byte order mark", "\u00ef\u00bb\u00bf" + Good, 400, "malformed_request");
            Body(
                "too deep",
                $$"""{"reference":"r","items":[],"x":{{new string('[', 40)}}{{new string(']', 40)}}}""",
                400,
                "malformed_request"
            );
            Body("half a surrogate pair", """{"reference":"\ud800","items":[]}""", 400, "validation_failed");
            Body("string for a number", """{"reference":"r","items":[{"product_id":"p","quantity":"2"}]}""", 400, "validation_failed");
            Body("number too large", """{"reference":"r","items":[{"product_id":"p","quantity":99999999999}]}""", 400, "validation_failed");
            Body("member missing", """{"items":[]}""", 400, "validation_failed");
            Body("null where nothing may be null", """{"reference":null,"items":[]}""", 400, "validation_failed");
            Body("array for an object", "[]", 400, "malformed_request");
            Body("text for an object", "\"x\"", 400, "malformed_request");
            Body("number for an object", "1", 400, "malformed_request");
            Raw(
                "too large, announced",
                "POST /orders HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n",
                413,
                "payload_too_large"
            );
            Raw(
                "too large, announced, Expect",
                "POST /upload HTTP/1.1\r\nHost: gateway\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n",
                413,
                "payload_too_large"
            );
            Raw(
                "too large, chunked",
                $"POST /upload HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n{new string('a', 0x100001)}\r\n0\r\n\r\n",
                413,
                "payload_too_large"
            );
            Body("too large for a lowered limit", "12345678901", 413, "payload_too_large", path: "/small-upload");
            Raw(
                "too large for a lowered limit, chunked",
                "POST /small-upload HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n",
                413,
                "payload_too_large"
            );
            Body("fits a lowered limit", "1234567890", 200, null, "upload 10", path: "/small-upload");

            // Requests that the framework refuses itself.
            Raw("unbindable query", "GET /typed?n=x HTTP/1.1\r\nHost: gateway\r\nAccept: text/html\r\n\r\n", 400, "malformed_request");
            Raw("missing query", "GET /typed HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "malformed_request");
            Body("framework binding, wrong type", "x", 415, "unsupported_media_type", type: "text/plain", path: "/bound");
            Body("framework binding, no JSON", "x", 400, "malformed_request", path: "/bound");

            // The "limit" parameter.
            Raw("limit 0", "GET /list?limit=0 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "validation_failed");
            Raw("limit -1", "GET /list?limit=-1 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "validation_failed");
            Raw("limit abc", "GET /list?limit=abc HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "validation_failed");
            Raw("limit empty", "GET /list?limit= HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "validation_failed");
            Raw("limit twice", "GET /list?limit=1&limit=2 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "validation_failed");
            Raw("limit 1.5", "GET /list?limit=1.5 HTTP/1.1\r\nHost: gateway\r\n\r\n", 400, "validation_failed");
            Raw("limit huge", "GET /list?limit=99999999999999999999 HTTP/1.1\r\nHost: gateway\r\n\r\n", 200, null);

            // Failures behind the edge.
            Raw("exception", "GET /boom HTTP/1.1\r\nHost: gateway\r\nAccept: text/html\r\n\r\n", 500, "internal_error");
            Raw("exception after half an answer", "GET /late HTTP/1.1\r\nHost: gateway\r\n\r\n", 0, null);
            Raw(
                "exception after half an answer, held",
                "GET /late HTTP/1.1\r\nHost: gateway\r\nAccept-Encoding: br\r\n\r\n",
                500,
                "internal_error"
            );
            Raw("problem thrown", "GET /store HTTP/1.1\r\nHost: gateway\r\n\r\n", 503, "store_unavailable");
            Raw("store away", "GET /store-away HTTP/1.1\r\nHost: gateway\r\n\r\n", 503, "store_unavailable");
            Raw("store refuses", "GET /store-refuses HTTP/1.1\r\nHost: gateway\r\n\r\n", 503, "store_unavailable");
            Raw("bare 406", "GET /status/406 HTTP/1.1\r\nHost: gateway\r\n\r\n", 406, "not_acceptable");
            Raw("bare 418", "GET /status/418 HTTP/1.1\r\nHost: gateway\r\n\r\n", 418, "client_error");
            Raw("bare 502", "GET /status/502 HTTP/1.1\r\nHost: gateway\r\n\r\n", 502, "upstream_failed");
            return rows;
        }
    }
}
