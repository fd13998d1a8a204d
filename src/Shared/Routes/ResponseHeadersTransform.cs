using System.Net;
using System.Net.Http.Headers;
using Bff.Configuration;
using Bff.Edge;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Routes;

/// <summary>
/// Copies a service's headers on an allow-list to the client. Addresses are translated; see <see cref="AnswerAddresses"/>.
/// </summary>
internal sealed class ResponseHeadersTransform(Reloadable<ReturnedHeaders> allowed, AnswerAddresses addresses) : ResponseTransform
{
    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is { } answer)
        {
            var names = allowed.Current;
            // Headers that Connection names are for the gateway only (RFC 9110 section 7.6.1).
            var connection = answer.Headers.NonValidated.TryGetValues("Connection", out var options) ? ValuesOf(options) : default;
            Copy(names, connection, answer, answer.Headers.NonValidated, context.HttpContext);
            Copy(names, connection, answer, answer.Content.Headers.NonValidated, context.HttpContext);
            if (answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.ResetContent)
            {
                // These statuses have no content (RFC 9110 sections 15.3.5 and 15.3.6), whatever length the service states.
                context.SuppressResponseBody = true;
                context.HttpContext.Response.ContentLength = answer.StatusCode == HttpStatusCode.ResetContent ? 0 : null;
            }
        }

        return default;
    }

    /// <summary>Converts values for the server; avoids an array for the usual single value.</summary>
    internal static StringValues ValuesOf(in HeaderStringValues values) =>
        values.Count == 1 ? values.ToString() : new StringValues([.. values]);

    private void Copy(
        ReturnedHeaders names,
        StringValues connection,
        HttpResponseMessage answer,
        in HttpHeadersNonValidated headers,
        HttpContext context
    )
    {
        var response = context.Response.Headers;
        foreach (var (name, values) in headers)
        {
            if (!names.Contains(name) || ConnectionOptions.Name(connection, name))
            {
                continue;
            }

            if (AnswerAddresses.IsAddress(name))
            {
                if (addresses.Translate(name, values.ToString(), answer, context) is { } translated)
                {
                    response[name] = translated;
                }
            }
            // A length beside chunked coding must be ignored (RFC 9112 section 6.3).
            else if (
                !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
                || !answer.Headers.NonValidated.Contains("Transfer-Encoding")
            )
            {
                response[name] = ValuesOf(values);
            }
        }
    }
}
