namespace Bff.Upstreams;

/// <summary>Copies a request for a further attempt, because two attempts never share a message.</summary>
internal static class RequestCopy
{
    /// <summary>Keeps the body in memory, so that it can be sent again; called before the first attempt of a keyed write.</summary>
    public static async ValueTask MakeRepeatable(HttpRequestMessage request, CancellationToken cancellation)
    {
        if (request.Content is null or ByteArrayContent or HeldContent)
        {
            return;
        }

        var buffered = new ByteArrayContent(await request.Content.ReadAsByteArrayAsync(cancellation));
        foreach (var header in request.Content.Headers.NonValidated)
        {
            foreach (var value in header.Value)
            {
                buffered.Headers.TryAddWithoutValidation(header.Key, value);
            }
        }

        request.Content = buffered;
    }

    /// <summary>Returns a message with the same head, which shares the (repeatable) content.</summary>
    public static HttpRequestMessage Of(HttpRequestMessage request)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri)
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
            Content = request.Content,
        };
        foreach (var header in request.Headers.NonValidated)
        {
            // Each attempt sends the context of its own span, not that of the first attempt.
            if (
                !header.Key.Equals("traceparent", StringComparison.OrdinalIgnoreCase)
                && !header.Key.Equals("tracestate", StringComparison.OrdinalIgnoreCase)
            )
            {
                foreach (var value in header.Value)
                {
                    copy.Headers.TryAddWithoutValidation(header.Key, value);
                }
            }
        }

        foreach (var (key, value) in request.Options)
        {
            ((IDictionary<string, object?>)copy.Options)[key] = value;
        }

        return copy;
    }
}
