using System.Reflection;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Upstreams;

/// <summary>
/// The body of a client's request as a body for a service: a parameter of the endpoint, and <c>[Body] UploadedFile file</c> in the client's
/// method. It is forwarded once, while it arrives, together with its type; the caller's plan or the route limits its size.
/// </summary>
public sealed class UploadedFile : IBindableFromHttpContext<UploadedFile>
{
    private const int PieceBytes = 64 * 1024;
    private static readonly string[] Described = ["Content-Type", "Content-Encoding", "Content-Language", "Content-Disposition"];
    private readonly HttpContext _context;
    private readonly ArrivingBody? _arriving;

    private UploadedFile(HttpContext context, ArrivingBody? arriving) => (_context, _arriving) = (context, arriving);

    /// <summary>The client's <c>Content-Type</c>.</summary>
    public string? MediaType => _context.Request.ContentType;

    /// <summary>The client's <c>Content-Length</c>; null if the length is not known in advance.</summary>
    public long? Length => _context.Request.ContentLength;

    /// <summary>Lets an endpoint take the file as a parameter.</summary>
    public static ValueTask<UploadedFile?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var request = BffRequest.Of(context);
        if (request.Held is not null)
        {
            return new(new UploadedFile(context, null)); // The body has been read already, for example for an idempotency key.
        }

        var arriving = new ArrivingBody(context, context.RequestServices.GetRequiredService<TimeProvider>(), mayBeSilent: false);
        context.Request.Body = arriving;
        request.IsArriving = true;
        return new(new UploadedFile(context, arriving));
    }

    /// <summary>Returns the content of the request to the service.</summary>
    internal HttpContent Content()
    {
        var content = new StreamContent(_context.Request.Body, PieceBytes);
        foreach (var name in Described)
        {
            if (_context.Request.Headers[name] is { Count: > 0 } values)
            {
                content.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values!);
            }
        }

        return _arriving is not null
            ? new ArrivingContent(content, _arriving)
            : new HeldContent(BffRequest.Of(_context).Held!, content.Headers);
    }
}
