// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// Where a template would live.
contract SvgTemplate {}

/// Makes SVG templates; a name that is used again gets a new template.
contract SvgManager {
    event SVGTemplateCreated(string name, address template);

    mapping(string => address) public svgTemplate;

    function createTemplate(string calldata name) external returns (address template) {
        template = address(new SvgTemplate());
        svgTemplate[name] = template;
        emit SVGTemplateCreated(name, template);
    }
}
