using Bff.Edge;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Routes;

/// <summary>
/// Translates the answer to a gRPC-Web call while it is forwarded: collects the trailers for the last frame of the body, and encodes a text
/// answer as Base64.
/// </summary>
internal sealed class GrpcWebAnswer : IHttpResponseTrailersFeature, IDisposable
{
    private readonly HttpContext _context;
    private readonly GrpcForm _form;
    private readonly IHttpResponseBodyFeature _body;
    private readonly IHttpResponseTrailersFeature? _trailers;

    public GrpcWebAnswer(HttpContext context, GrpcForm form)
    {
        (_context, _form) = (context, form);
        _body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        _trailers = context.Features.Get<IHttpResponseTrailersFeature>();
        context.Features.Set<IHttpResponseTrailersFeature>(this);
        if (form is GrpcForm.WebText)
        {
            context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new Base64Stream(_body.Stream), _body));
        }
    }

    public IHeaderDictionary Trailers { get; set; } = new HeaderDictionary();

    /// <summary>Writes the last frame.</summary>
    public async Task Finish()
    {
        var frame = GrpcRefusal.Frame(Trailers.SelectMany(static t => t.Value.Select(value => KeyValuePair.Create(t.Key, value ?? ""))));
        await _body.Stream.WriteAsync(_form is GrpcForm.WebText ? GrpcRefusal.ToText(frame) : frame, _context.RequestAborted);
    }

    public void Dispose()
    {
        _context.Features.Set(_body);
        _context.Features.Set(_trailers);
    }

    /// <summary>Encodes each write as a padded piece of Base64.</summary>
    private sealed class Base64Stream(Stream inner) : WriteOnlyStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(GrpcRefusal.ToText(buffer.Span), cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
    }
}
