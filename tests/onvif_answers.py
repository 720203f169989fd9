"""Answers in the shapes in which makers of cameras write them: prefixes, line breaks and habits of their own."""

NVR_PROFILES = b"""<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema"
 xmlns:trt="http://www.onvif.org/ver10/media/wsdl"><SOAP-ENV:Header></SOAP-ENV:Header><SOAP-ENV:Body>
<trt:GetProfilesResponse>
 <trt:Profiles token="MediaProfile00000" fixed="true"><tt:Name>MediaProfile_Channel1_MainStream</tt:Name>
  <tt:VideoSourceConfiguration token="00000"><tt:Name>VideoSource</tt:Name><tt:UseCount>3</tt:UseCount>
   <tt:Bounds x="0" y="0" width="1920" height="1080"></tt:Bounds></tt:VideoSourceConfiguration>
  <tt:VideoEncoderConfiguration token="00000"><tt:Name>main</tt:Name><tt:Encoding>H264</tt:Encoding>
   <tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution><tt:Quality>4.000000</tt:Quality>
   <tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>
    <tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl></tt:VideoEncoderConfiguration>
  <tt:PTZConfiguration token="00000"><tt:NodeToken>00000</tt:NodeToken></tt:PTZConfiguration></trt:Profiles>
 <trt:Profiles token="MediaProfile00002" fixed="true"><tt:Name>snapshot</tt:Name>
  <tt:VideoEncoderConfiguration token="2"><tt:Encoding>JPEG</tt:Encoding><tt:Resolution><tt:Width>704</tt:Width>
   <tt:Height>576</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration></trt:Profiles>
 <trt:Profiles token="audio" fixed="true"><tt:Name>audio only</tt:Name></trt:Profiles>
</trt:GetProfilesResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>"""

MEDIA2_PROFILES = b"""<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"
 xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><env:Body>
<tr2:GetProfilesResponse><tr2:Profiles token="Profile_1" fixed="true"><tr2:Name>mainStream</tr2:Name>
<tr2:Configurations>
<tr2:VideoEncoder token="VideoEncoderToken_1" GovLength="50" Profile="Main"><tt:Name>VideoEncoder_1</tt:Name>
<tt:Encoding>H265</tt:Encoding><tt:Resolution><tt:Width>2560</tt:Width><tt:Height>1440</tt:Height></tt:Resolution>
<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>12.500000</tt:FrameRateLimit>
<tt:BitrateLimit>3072</tt:BitrateLimit></tt:RateControl></tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>
</tr2:GetProfilesResponse></env:Body></env:Envelope>"""

CAPABILITIES = b"""<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"
 xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><SOAP-ENV:Body>
<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>http://192.168.1.9/onvif/device_service</tt:XAddr>
</tt:Device><tt:Media><tt:XAddr>http://192.168.1.9/onvif/Media</tt:XAddr><tt:StreamingCapabilities>
<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media></tds:Capabilities>
</tds:GetCapabilitiesResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>"""

NESTED_FAULT = b"""<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"
 xmlns:ter="http://www.onvif.org/ver10/error"><SOAP-ENV:Body><SOAP-ENV:Fault><SOAP-ENV:Code>
<SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode><SOAP-ENV:Value>ter:InvalidArgVal</SOAP-ENV:Value>
<SOAP-ENV:Subcode><SOAP-ENV:Value>ter:NoProfile</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Subcode></SOAP-ENV:Code>
<SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">Profile Not Exist</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>
</SOAP-ENV:Body></SOAP-ENV:Envelope>"""

SECURITY_FAULT = b"""<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"
 xmlns:ter="http://www.onvif.org/ver10/error"><env:Body><env:Fault><env:Code><env:Value>env:Sender</env:Value>
<env:Subcode><env:Value>ter:NotAuthorized</env:Value></env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">
An error was discovered processing the &lt;wsse:Security&gt; header.</env:Text></env:Reason></env:Fault></env:Body>
</env:Envelope>"""

OLD_FAULT = b"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>
<faultcode>s:Server</faultcode><faultstring>busy</faultstring></s:Fault></s:Body></s:Envelope>"""

MATCHES = b"""<?xml version="1.0" encoding="utf-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"
 xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:wsdd="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><SOAP-ENV:Header>
<wsa:RelatesTo>urn:uuid:1</wsa:RelatesTo></SOAP-ENV:Header><SOAP-ENV:Body><wsdd:ProbeMatches><wsdd:ProbeMatch>
<wsdd:Types>dn:NetworkVideoTransmitter</wsdd:Types><wsdd:Scopes>
   onvif://www.onvif.org/type/video_encoder
   onvif://www.onvif.org/name/Cam%20c%E1%BB%95ng
   onvif://www.onvif.org/hardware/IPC-1</wsdd:Scopes>
<wsdd:XAddrs>http://[fe80::1]/onvif/device_service http://169.254.3.4/onvif/device_service
 http://192.168.1.9:8000/onvif/device_service</wsdd:XAddrs></wsdd:ProbeMatch></wsdd:ProbeMatches></SOAP-ENV:Body>
</SOAP-ENV:Envelope>"""

ALL = [NVR_PROFILES, MEDIA2_PROFILES, CAPABILITIES, NESTED_FAULT, SECURITY_FAULT, OLD_FAULT, MATCHES]
