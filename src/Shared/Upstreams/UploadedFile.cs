using System.Reflection;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Upstreams;

/// <summary>
/// The request's body as a body for a service: a parameter of the endpoint, and <c>[Body] UploadedFile file</c> of the client's method. It
/// is sent on while it arrives, once, as large as the caller's plan or the route allows; its type goes with it.
/// </summary>
public sealed class UploadedFile : IBindableFromHttpContext<UploadedFile>
{
    private const int PieceBytes = 64 * 1024;
    private static readonly string[] Described = ["Content-Type", "Content-Encoding", "Content-Language", "Content-Disposition"];
    private readonly HttpContext _context;
    private readonly ArrivingBody? _arriving;

    private UploadedFile(HttpContext context, ArrivingBody? arriving) => (_context, _arriving) = (context, arriving);

    /// <summary>As the client says.</summary>
    public string? MediaType => _context.Request.ContentType;

    /// <summary>As the client says; null where it does not know yet.</summary>
    public long? Length => _context.Request.ContentLength;

    /// <summary>Lets endpoints ask for it as a parameter.</summary>
    public static ValueTask<UploadedFile?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var request = BffRequest.Of(context);
        if (request.Held is not null)
        {
            return new(new UploadedFile(context, null)); // It has been read already, as for an idempotency key.
        }

        var arriving = new ArrivingBody(context, context.RequestServices.GetRequiredService<TimeProvider>(), mayBeSilent: false);
        context.Request.Body = arriving;
        request.IsArriving = true;
        return new(new UploadedFile(context, arriving));
    }

    /// <summary>The content of the request that sends it on.</summary>
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
