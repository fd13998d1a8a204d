using System.Net;

namespace Bff.Routes;

/// <summary>A service's body that ends with an error when nothing of it comes for too long. The proxy's own limit is one for all answers, and knows no fake clock.</summary>
internal sealed class PatientBody : HttpContent
{
    private readonly HttpContent _inner;
    private readonly TimeSpan _idle;
    private readonly TimeProvider _time;

    public PatientBody(HttpContent inner, TimeSpan idle, TimeProvider time)
    {
        _inner = inner;
        _idle = idle;
        _time = time;
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    protected override async Task<Stream> CreateContentReadStreamAsync() => new PatientStream(await _inner.ReadAsStreamAsync(), _idle, _time);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _inner.CopyToAsync(stream, context);

    protected override bool TryComputeLength(out long length)
    {
        length = _inner.Headers.ContentLength ?? 0;
        return _inner.Headers.ContentLength is not null;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
