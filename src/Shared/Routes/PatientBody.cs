using System.Net;

namespace Bff.Routes;

/// <summary>
/// A service's body that ends with an error when nothing of it comes for too long. The proxy's own limit is one for all answers, and knows no fake clock.
/// It has no headers: they are with the client when the body is asked for.
/// </summary>
internal sealed class PatientBody(HttpContent inner, Stream body, TimeSpan idle, TimeProvider time) : HttpContent
{
    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new PatientStream(body, idle, time));

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
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
