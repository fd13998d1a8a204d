using Bff.Upstreams;
using Refit;

namespace MobileBff.Upstreams;

/// <summary>The service that stores images.</summary>
public interface IMedia
{
    [Get("/media/large/{file}")]
    UpstreamCall<UpstreamFile> Large(string file);

    [Get("/media/thumb/{file}")]
    UpstreamCall<UpstreamFile> Thumb(string file);
}
