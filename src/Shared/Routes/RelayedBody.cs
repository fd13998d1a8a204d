using System.Net;

namespace Bff.Routes;

/// <summary>
/// A service's body that is read through another stream, which decides when it ends. It has no headers, because they have been sent to the
/// client when the body is read.
/// </summary>
/// <param name="inner">The service's content; disposed with this one.</param>
/// <param name="body">The stream to read.</param>
internal sealed class RelayedBody(HttpContent inner, Stream body) : HttpContent
{
    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(body);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new NotSupportedException();

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
