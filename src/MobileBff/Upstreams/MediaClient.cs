using Bff.Upstreams;

namespace MobileBff.Upstreams;

/// <summary>The service that stores pictures.</summary>
public sealed class MediaClient(UpstreamClient media)
{
    public ValueTask<UpstreamAnswer<UpstreamFile>> Large(string file, CallContext call) => media.GetFile($"media/large/{PathSegment.Of(file)}", call);

    public ValueTask<UpstreamAnswer<UpstreamFile>> Thumb(string file, CallContext call) => media.GetFile($"media/thumb/{PathSegment.Of(file)}", call);
}
